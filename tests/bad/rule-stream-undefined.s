; Nobody drives s3.
.machine tiny
@mem.w0
    at 4  write 7, s3.e
