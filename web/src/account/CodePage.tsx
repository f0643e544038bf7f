import { logIn } from '../api/session'
import type { Schemas } from '../api/client'
import { m } from '../messages'
import { Button } from '../ui/Button'
import { Field } from '../ui/Field'
import { AuthLayout } from './AuthLayout'
import { checkCode } from './check'
import { FormError } from './FormError'
import { textLink } from './styles'
import { useEnter } from './useEnter'
import { useForm } from './useForm'

interface Props {
  /** What the server took, but for the code. */
  login: Schemas['LoginInputBody']
  next: string
  back: () => void
}

/** Asks for the code of the second factor. A recovery code has letters, so the keyboard is the whole one. */
export function CodePage({ login, next, back }: Props) {
  const enter = useEnter(logIn, next)
  const { form, faults, submit } = useForm(checkCode, ({ code }) => enter.mutate({ ...login, code: code.trim() }))
  return (
    <AuthLayout title={m.factor.title} intro={m.factor.intro}>
      <form ref={form} onSubmit={submit} noValidate className="grid gap-5">
        <Field
          label={m.factor.code}
          name="code"
          autoComplete="one-time-code"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
          hint={m.factor.codeHint}
          error={faults.code}
        />
        <FormError error={enter.error} />
        <Button type="submit" look="solid" disabled={enter.isPending} className="h-11">
          {m.factor.submit}
        </Button>
      </form>
      <p className="mt-5">
        <button type="button" onClick={back} className={textLink}>
          {m.factor.back}
        </button>
      </p>
    </AuthLayout>
  )
}
