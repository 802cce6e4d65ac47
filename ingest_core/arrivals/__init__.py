"""Files that come by themselves: schedules look at places, take what is complete, and submit it in order."""
