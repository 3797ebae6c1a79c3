"""How well two maps agree: overlap, surface distances, a table of both per region, lesions, instances, detections."""
