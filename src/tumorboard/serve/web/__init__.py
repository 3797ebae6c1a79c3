"""The department in a browser and over DICOMweb: who may see and change what, and the pages that show it."""
