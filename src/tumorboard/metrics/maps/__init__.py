"""How well two maps of labels agree: overlap, surfaces, lesions, instances, detections."""
