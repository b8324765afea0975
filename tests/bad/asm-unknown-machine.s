.machine huge
