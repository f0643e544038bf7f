import { m } from '../messages'

/** The server's least length of a password, in characters. */
export const SHORTEST_PASSWORD = 10

/** What was filled in, and what is wrong with it, by field. */
export type Filled<Name extends string> = Record<Name, string>
export type Faults<Name extends string> = Partial<Record<Name, string>>

const emailFault = (email: string) => {
  if (!email.trim()) return m.account.emailMissing
  return /^\S+@\S+$/.test(email.trim()) ? undefined : m.account.emailInvalid
}

const nameFault = (name: string) => (name.trim() ? undefined : m.account.nameMissing)

const newPasswordFault = (password: string) =>
  [...password].length >= SHORTEST_PASSWORD ? undefined : m.account.passwordShort(SHORTEST_PASSWORD)

const present = <Name extends string>(faults: Record<Name, string | undefined>) =>
  Object.fromEntries(Object.entries(faults).filter(([, fault]) => fault !== undefined)) as Faults<Name>

export const checkLogin = (f: Filled<'email' | 'password'>) =>
  present({
    email: emailFault(f.email),
    password: f.password ? undefined : m.account.passwordMissing,
  })

export const checkPassword = (f: Filled<'password'>) =>
  present({ password: f.password ? undefined : m.account.passwordMissing })

export const checkCode = (f: Filled<'code'>) => present({ code: f.code.trim() ? undefined : m.factor.codeMissing })

export const checkForgotten = (f: Filled<'email'>) => present({ email: emailFault(f.email) })

export const checkReset = (f: Filled<'password'>) => present({ password: newPasswordFault(f.password) })

export const checkNewMember = (f: Filled<'name' | 'password'>) =>
  present({ name: nameFault(f.name), password: newPasswordFault(f.password) })

export const checkSetup = (f: Filled<'code' | 'name' | 'email' | 'password'>) =>
  present({
    code: f.code.trim() ? undefined : m.account.codeMissing,
    name: nameFault(f.name),
    email: emailFault(f.email),
    password: newPasswordFault(f.password),
  })
