import { useSearch } from '@tanstack/react-router'
import { useState } from 'react'

import { AuthLayout } from '../../account/AuthLayout'
import { textLink } from '../../account/styles'
import { useEnter } from '../../account/useEnter'
import { logOut } from '../../api/session'
import { m } from '../../messages'
import { t } from '../texts'
import { FactorSetup } from './FactorSetup'
import { RecoveryCodes } from './RecoveryCodes'

/** The server asks everybody for a second factor: who has none sets one up here, and goes on then. */
export function RequiredFactorPage() {
  const { next = '/' } = useSearch({ from: '/second-factor' })
  const [codes, setCodes] = useState<string[]>()
  const goOn = useEnter(() => Promise.resolve(), next)
  const leave = useEnter(logOut, '/login')
  return (
    <AuthLayout title={t.factor.required} intro={t.factor.requiredText}>
      {codes ? (
        <RecoveryCodes codes={codes} onClose={() => goOn.mutate(undefined)} verb={t.factor.storedGoOn} />
      ) : (
        <>
          <FactorSetup onCodes={setCodes} />
          <p className="mt-5">
            <button type="button" onClick={() => leave.mutate(undefined)} className={textLink}>
              {m.account.logout}
            </button>
          </p>
        </>
      )}
    </AuthLayout>
  )
}
