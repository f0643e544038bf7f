import { m } from '../messages'

/** The server's least length of a password, in characters. */
export const SHORTEST_PASSWORD = 10

export interface Filled {
  code?: string
  name?: string
  email: string
  password: string
}

export type Faults = Partial<Record<keyof Filled, string>>

const emailFault = (email: string) => {
  if (!email.trim()) return m.account.emailMissing
  return /^\S+@\S+$/.test(email.trim()) ? undefined : m.account.emailInvalid
}

const present = (faults: Record<string, string | undefined>): Faults =>
  Object.fromEntries(Object.entries(faults).filter(([, fault]) => fault !== undefined))

/** What is wrong with a filled-in login, by field. */
export const checkLogin = (f: Filled): Faults =>
  present({
    email: emailFault(f.email),
    password: f.password ? undefined : m.account.passwordMissing,
  })

/** What is wrong with a filled-in owner account, by field. */
export const checkSetup = (f: Filled): Faults =>
  present({
    code: f.code?.trim() ? undefined : m.account.codeMissing,
    name: f.name?.trim() ? undefined : m.account.nameMissing,
    email: emailFault(f.email),
    password:
      [...f.password].length >= SHORTEST_PASSWORD ? undefined : m.account.passwordShort(SHORTEST_PASSWORD),
  })
