import { useMutation } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import { askForReset } from '../api/session'
import { m } from '../messages'
import { Button } from '../ui/Button'
import { Field } from '../ui/Field'
import { AuthLayout } from './AuthLayout'
import { checkForgotten } from './check'
import { FormError } from './FormError'
import { textLink } from './styles'
import { useForm } from './useForm'

function Back({ autoFocus = false }: { autoFocus?: boolean }) {
  return (
    <Link to="/login" search={({ next }) => (next ? { next } : {})} autoFocus={autoFocus} className={textLink}>
      {m.login.back}
    </Link>
  )
}

/** Asks for a link by mail. What it says then is the same whether there is an account or not. */
export function ForgottenPage() {
  const ask = useMutation({ mutationFn: askForReset })
  const { form, faults, submit } = useForm(checkForgotten, ({ email }) => ask.mutate({ email: email.trim() }))
  if (ask.isSuccess) {
    return (
      <AuthLayout title={m.forgotten.sentTitle} intro={m.forgotten.sent(ask.variables.email)}>
        <p role="status" className="-mt-4 mb-7 text-muted">
          {m.forgotten.sentMore}
        </p>
        <Back autoFocus />
      </AuthLayout>
    )
  }
  return (
    <AuthLayout title={m.forgotten.title} intro={m.forgotten.intro}>
      <form ref={form} onSubmit={submit} noValidate className="grid gap-5">
        <Field label={m.account.email} name="email" type="email" autoComplete="username" autoFocus error={faults.email} />
        <FormError error={ask.error} />
        <Button type="submit" look="solid" disabled={ask.isPending} className="h-11">
          {m.forgotten.submit}
        </Button>
      </form>
      <p className="mt-5"><Back /></p>
    </AuthLayout>
  )
}
