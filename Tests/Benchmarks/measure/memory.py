def memory(report, quick): pass
