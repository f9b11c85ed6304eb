"""Decision trees."""

__all__ = []
