import { useMutation, useQueryClient } from '@tanstack/react-query'

import { checkPassword } from '../account/check'
import { FormError } from '../account/FormError'
import { useForm } from '../account/useForm'
import { openShare, SHARED } from '../api/shares'
import { m } from '../messages'
import { Button } from '../ui/Button'
import { Field } from '../ui/Field'
import { Mark } from '../ui/Logo'

/** Asks a reader for the password of a shared link. */
export function PasswordPage({ secret }: { secret: string }) {
  const queries = useQueryClient()
  const open = useMutation({
    mutationFn: (password: string) => openShare(secret, password),
    onSuccess: () => queries.invalidateQueries({ queryKey: [SHARED] }),
  })
  const { form, faults, submit } = useForm(checkPassword, ({ password }) => open.mutate(password))
  return (
    <main className="mx-auto grid min-h-[80dvh] w-full max-w-sm content-center gap-6 p-6">
      <div>
        <Mark className="size-10" />
        <h1 className="mt-4 text-xl font-semibold tracking-tight">{m.shared.lockedTitle}</h1>
        <p className="mt-1 text-muted">{m.shared.lockedText}</p>
      </div>
      <form ref={form} onSubmit={submit} noValidate className="grid gap-5">
        <Field label={m.account.password} name="password" type="password" autoComplete="off" autoFocus error={faults.password} />
        <FormError error={open.error} />
        <Button type="submit" look="solid" disabled={open.isPending} className="h-11">
          {m.shared.open}
        </Button>
      </form>
    </main>
  )
}
