; The nearest mnemonic is suggested.
.machine tiny
@mem.w0
    raed 0, s0.e
