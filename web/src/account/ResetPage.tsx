import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'

import { resetPassword, sessionQuery } from '../api/session'
import { m } from '../messages'
import { Button } from '../ui/Button'
import { AuthLayout } from './AuthLayout'
import { checkReset } from './check'
import { FormError } from './FormError'
import { NewPassword } from './NewPassword'
import { useForm } from './useForm'

/** Sets a new password by a link. The server ends all sessions; the sign-in page follows. */
export function ResetPage({ token }: { token: string }) {
  const queries = useQueryClient()
  const router = useRouter()
  const reset = useMutation({
    mutationFn: resetPassword,
    onSuccess: async () => {
      await queries.fetchQuery({ ...sessionQuery, staleTime: 0 })
      await router.navigate({ to: '/login', search: { changed: true }, replace: true })
    },
  })
  const { form, faults, submit } = useForm(checkReset, ({ password }) => reset.mutate({ token, password }))
  return (
    <AuthLayout title={m.reset.title} intro={m.reset.intro}>
      <form ref={form} onSubmit={submit} noValidate className="grid gap-5">
        <NewPassword label={m.reset.password} autoFocus error={faults.password} />
        <FormError error={reset.error} />
        <Button type="submit" look="solid" disabled={reset.isPending} className="h-11">
          {m.reset.submit}
        </Button>
      </form>
    </AuthLayout>
  )
}
