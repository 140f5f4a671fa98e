"""How far a change may go now (specification 6.3 and 11.3): the ramp, its gates, and the ledger."""
