def turns(report, quick): pass
