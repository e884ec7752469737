"""dondoc (đôn đốc, to chase up what is owed): the wiring that ties the rooms together."""
