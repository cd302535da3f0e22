"""Pure decisions: bars and catalogue in, work and verdicts out. Nothing here reads or writes a store."""
