"""Work that tables share: functions of a view, called through ``view.shared``."""
