import { SHORTEST_PASSWORD } from '../../account/check'
import { FormError } from '../../account/FormError'
import { answer, api } from '../../api/client'
import { m } from '../../messages'
import { Card } from '../../ui/Card'
import { Field } from '../../ui/Field'
import { loginsQuery } from '../api'
import { Send } from '../Buttons'
import { t } from '../texts'
import { useSend } from '../useSend'

export function PasswordCard({ email }: { email: string }) {
  const change = useSend({
    fields: ['old', 'new'],
    alias: { password: 'new' },
    send: (f) => answer(api.PUT('/api/v1/account/password', { body: { old: f.old, new: f.new } })),
    keys: [loginsQuery.queryKey],
    clear: true,
  })
  return (
    <Card title={t.password.title} note={t.password.note}>
      <form onSubmit={change.submit} noValidate className="grid gap-4">
        <input type="text" name="username" autoComplete="username" value={email} readOnly hidden />
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={t.password.old} name="old" type="password" autoComplete="current-password" error={change.faults.old} />
          <Field
            label={t.password.new}
            name="new"
            type="password"
            autoComplete="new-password"
            hint={m.account.passwordHint(SHORTEST_PASSWORD)}
            error={change.faults.new}
          />
        </div>
        <FormError error={change.error} />
        <Send label={t.password.submit} pending={change.pending} done={change.done} said={t.password.done} />
      </form>
    </Card>
  )
}
