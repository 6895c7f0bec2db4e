"""Choose the cheapest of many plans whose limits hold, and say how sure that is."""
