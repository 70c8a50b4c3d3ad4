"""Pictures of ECGs, read into signals."""

from tasks.ecg.picture.read import read_picture

__all__ = ["read_picture"]
