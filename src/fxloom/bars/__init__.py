"""A pair's minutes: bars, the clock, months, calendars, summaries of days, gaps, and the synthetic market."""
