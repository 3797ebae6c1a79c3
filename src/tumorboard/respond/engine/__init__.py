"""The one engine that reads every criterion: segments, findings, raw categories, windows and confirmation."""
