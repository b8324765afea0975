run programs/nothing.json
