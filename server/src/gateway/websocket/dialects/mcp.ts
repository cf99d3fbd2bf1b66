/** `/ws?dialect=mcp`: in the making. */
export {}
