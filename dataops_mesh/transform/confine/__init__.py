"""Runs domain code in a process that can open what it was given, and nothing else.

    client       asks the fork server and waits; the only part that other rooms call
    forkserver   exec'd, one thread, no secret; forks a worker per job, ends what it leaves behind
    worker       closes what it inherited, confines itself, does the job, says how it went
    rules        which paths a job may open
    landlock     files, sockets and signals, by the kernel
    seccomp      what Landlock does not see, by a filter of system calls

What a worker says is JSON and is never believed about data: whoever asked reads the files again.
"""
