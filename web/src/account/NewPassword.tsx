import { m } from '../messages'
import { Field } from '../ui/Field'
import { SHORTEST_PASSWORD } from './check'

/** The field of a password that is chosen now. */
export function NewPassword({ label = m.account.password, error, autoFocus }: { label?: string; error?: string | undefined; autoFocus?: boolean }) {
  return (
    <Field
      label={label}
      name="password"
      type="password"
      autoComplete="new-password"
      hint={m.account.passwordHint(SHORTEST_PASSWORD)}
      error={error}
      autoFocus={autoFocus}
    />
  )
}
