/** `/ws?dialect=autosdlc`: in the making. */
export {}
