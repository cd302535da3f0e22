"""Series that several families share: functions of a view, called through ``view.shared``."""
