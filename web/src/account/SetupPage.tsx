import { setUp } from '../api/session'
import { m } from '../messages'
import { Button } from '../ui/Button'
import { Field } from '../ui/Field'
import { AuthLayout } from './AuthLayout'
import { checkSetup } from './check'
import { FormError } from './FormError'
import { NewPassword } from './NewPassword'
import { useEnter } from './useEnter'
import { useForm } from './useForm'

export function SetupPage({ code: given }: { code: string }) {
  const enter = useEnter(setUp, '/')
  const { form, faults, submit } = useForm(checkSetup, ({ code, email, name, password }) =>
    enter.mutate({ code: code.trim(), email: email.trim(), name: name.trim(), password }),
  )
  return (
    <AuthLayout title={m.account.setupTitle} intro={m.account.setupIntro}>
      <form ref={form} onSubmit={submit} noValidate className="grid gap-5">
        <Field
          label={m.account.code}
          name="code"
          autoComplete="off"
          spellCheck={false}
          defaultValue={given}
          autoFocus={!given}
          hint={m.account.codeHint}
          error={faults.code}
        />
        <Field label={m.account.name} name="name" autoComplete="name" autoFocus={given !== ''} error={faults.name} />
        <Field label={m.account.email} name="email" type="email" autoComplete="username" error={faults.email} />
        <NewPassword error={faults.password} />
        <FormError error={enter.error} />
        <Button type="submit" look="solid" disabled={enter.isPending} className="h-11">
          {m.account.setupSubmit}
        </Button>
      </form>
    </AuthLayout>
  )
}
