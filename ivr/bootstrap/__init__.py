"""The composition root: the one place that reads settings and opens the inner doors of other rooms."""
