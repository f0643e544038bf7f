import { createContext, useContext } from 'react'

import { makeFormat, type Format } from './format'

/** The format of the project that is shown. */
export const FormatContext = createContext<Format>(makeFormat('UTC'))

export const useFormat = () => useContext(FormatContext)
