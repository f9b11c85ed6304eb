"""Many models in place of one: forests, bagging, boosting."""

__all__ = []
