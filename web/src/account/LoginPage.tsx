import { useSearch } from '@tanstack/react-router'

import { logIn } from '../api/session'
import { m } from '../messages'
import { Button } from '../ui/Button'
import { Field } from '../ui/Field'
import { AuthLayout } from './AuthLayout'
import { checkLogin } from './check'
import { FormError } from './FormError'
import { useEnter } from './useEnter'
import { useForm } from './useForm'

export function LoginPage() {
  const { next } = useSearch({ from: '/login' })
  const enter = useEnter(logIn, next ?? '/')
  const { form, faults, submit } = useForm(checkLogin, ({ email, password }) => enter.mutate({ email, password }))
  return (
    <AuthLayout title={m.account.loginTitle} intro={m.account.loginIntro}>
      <form ref={form} onSubmit={submit} noValidate className="grid gap-5">
        <Field label={m.account.email} name="email" type="email" autoComplete="username" autoFocus error={faults.email} />
        <Field
          label={m.account.password}
          name="password"
          type="password"
          autoComplete="current-password"
          error={faults.password}
        />
        <FormError error={enter.error} />
        <Button type="submit" look="solid" disabled={enter.isPending} className="h-11">
          {m.account.loginSubmit}
        </Button>
      </form>
    </AuthLayout>
  )
}
