"""What the preview of an import, its writing and its undoing share."""
