import { useSuspenseQuery } from '@tanstack/react-query'
import { Link, useSearch } from '@tanstack/react-router'
import { useState } from 'react'

import { ApiError } from '../api/client'
import { logIn, sessionQuery } from '../api/session'
import { m } from '../messages'
import { Button } from '../ui/Button'
import { Field } from '../ui/Field'
import { AuthLayout } from './AuthLayout'
import { checkLogin } from './check'
import { CodePage } from './CodePage'
import { ForgottenPage } from './ForgottenPage'
import { FormError } from './FormError'
import { Provider } from './Provider'
import { textLink } from './styles'
import { useEnter } from './useEnter'
import { useForm } from './useForm'

const needsCode = (error: unknown) => error instanceof ApiError && error.code === 'second_factor'

export function LoginPage() {
  const { data: session } = useSuspenseQuery(sessionQuery)
  const { forgotten } = useSearch({ from: '/login' })
  if (session.no_passwords && session.provider) {
    return (
      <AuthLayout title={m.account.loginTitle} intro={m.login.providerOnly}>
        <Provider name={session.provider} />
      </AuthLayout>
    )
  }
  return forgotten ? <ForgottenPage /> : <PasswordPage provider={session.provider} />
}

function PasswordPage({ provider }: { provider: string | undefined }) {
  const { next, changed } = useSearch({ from: '/login' })
  const [dismissed, setDismissed] = useState(false)
  const enter = useEnter(logIn, next ?? '/')
  const { form, faults, submit } = useForm(checkLogin, ({ email, password }) => {
    setDismissed(false)
    enter.mutate({ email: email.trim(), password })
  })
  if (needsCode(enter.error) && enter.variables && !dismissed) {
    return <CodePage login={enter.variables} next={next ?? '/'} back={() => setDismissed(true)} />
  }
  return (
    <AuthLayout title={m.account.loginTitle} intro={changed ? m.login.changed : m.account.loginIntro}>
      <form ref={form} onSubmit={submit} noValidate className="grid gap-5">
        <Field label={m.account.email} name="email" type="email" autoComplete="username" autoFocus error={faults.email} />
        <Field
          label={m.account.password}
          name="password"
          type="password"
          autoComplete="current-password"
          error={faults.password}
        />
        <FormError error={needsCode(enter.error) ? null : enter.error} />
        <Button type="submit" look="solid" disabled={enter.isPending} className="h-11">
          {m.account.loginSubmit}
        </Button>
      </form>
      {provider && <Provider name={provider} other />}
      <p className="mt-5">
        <Link to="/login" search={{ ...(next ? { next } : {}), forgotten: true }} className={textLink}>
          {m.login.forgotten}
        </Link>
      </p>
    </AuthLayout>
  )
}
