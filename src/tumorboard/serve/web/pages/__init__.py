"""The pages: one module each, every route behind a door of :mod:`tumorboard.serve.web.doors`."""
