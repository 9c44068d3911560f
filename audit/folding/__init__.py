"""Pure folds from events to what people read. The projector (audit/projector.py) is their rim."""
