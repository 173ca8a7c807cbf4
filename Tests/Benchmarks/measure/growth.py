def growth(report, quick): pass
