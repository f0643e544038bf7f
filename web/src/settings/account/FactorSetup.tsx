import { lazy, Suspense, useState } from 'react'

import { FormError } from '../../account/FormError'
import { answer, api, type Schemas } from '../../api/client'
import { m } from '../../messages'
import { CopyButton } from '../../ui/CopyButton'
import { Field } from '../../ui/Field'
import { Skeleton } from '../../ui/Skeleton'
import { Verbs } from '../Buttons'
import { t } from '../texts'
import { useSend } from '../useSend'

// Few set a second factor up, and drawing the code takes a library.
const QrCode = lazy(() => import('./QrCode'))

interface Props {
  /** It is on: these are the recovery codes. */
  onCodes: (codes: string[]) => void
  cancel?: () => void
}

/** Sets a second factor up: the password, the secret for the app, a code of it. */
export function FactorSetup({ onCodes, cancel }: Props) {
  const [secret, setSecret] = useState<Schemas['TOTPBody']>()
  return secret ? <Confirm secret={secret} onCodes={onCodes} cancel={cancel} /> : <Begin onSecret={setSecret} cancel={cancel} />
}

function Begin({ onSecret, cancel }: { onSecret: (secret: Schemas['TOTPBody']) => void; cancel: Props['cancel'] | undefined }) {
  const send = useSend({
    fields: ['password'],
    send: ({ password }) => answer(api.POST('/api/v1/account/totp', { body: { password } })),
    done: onSecret,
  })
  return (
    <form onSubmit={send.submit} noValidate className="grid max-w-sm gap-4">
      <Field
        label={m.account.password}
        name="password"
        type="password"
        autoComplete="current-password"
        autoFocus
        hint={t.factor.passwordHint}
        error={send.faults.password}
      />
      <FormError error={send.error} />
      <Verbs verb={t.factor.goOn} pending={send.pending} cancel={cancel} />
    </form>
  )
}

/** The secret in groups of four, which are easier to type. */
const spaced = (secret: string) => secret.replaceAll(/(.{4})(?=.)/g, '$1 ')

function Confirm({ secret, onCodes, cancel }: { secret: Schemas['TOTPBody'] } & Pick<Props, 'onCodes'> & { cancel: Props['cancel'] | undefined }) {
  const send = useSend({
    fields: ['code'],
    send: ({ code }) => answer(api.POST('/api/v1/account/totp/confirm', { body: { code: code.replaceAll(' ', '') } })),
    done: (made) => onCodes(made.recovery_codes),
  })
  return (
    <form onSubmit={send.submit} noValidate className="grid gap-5">
      <div className="flex flex-wrap items-start gap-5">
        <Suspense fallback={<Skeleton className="size-48" />}>
          <QrCode text={secret.url} label={t.factor.qr} />
        </Suspense>
        <div className="grid min-w-0 flex-1 basis-52 content-start gap-2">
          <p className="text-sm">{t.factor.scan}</p>
          <p className="text-sm text-muted">{t.factor.type}</p>
          <code aria-label={t.factor.secret} className="rounded-lg bg-sunken px-3 py-2 font-mono text-sm wrap-anywhere select-all">
            {spaced(secret.secret)}
          </code>
          <div>
            <CopyButton text={secret.secret} />
          </div>
        </div>
      </div>
      <div className="grid max-w-sm gap-4">
        <Field
          label={t.factor.confirm}
          name="code"
          inputMode="numeric"
          autoComplete="one-time-code"
          autoFocus
          hint={t.factor.confirmHint}
          error={send.faults.code}
        />
        <FormError error={send.error} />
        <Verbs verb={t.factor.turnOn} pending={send.pending} cancel={cancel} />
      </div>
    </form>
  )
}
