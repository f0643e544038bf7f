import { providerAddress } from '../api/session'
import { m } from '../messages'
import { LinkButton } from '../ui/Button'

/** Signs in with the identity provider; below a form it is the other way. */
export function Provider({ name, other = false }: { name: string; other?: boolean }) {
  return (
    <>
      {other && (
        <p className="my-5 flex items-center gap-3 text-sm text-muted before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line">
          {m.login.or}
        </p>
      )}
      <LinkButton href={providerAddress} look={other ? 'quiet' : 'solid'} className="h-11! w-full text-base! wrap-anywhere">
        {m.login.provider(name)}
      </LinkButton>
    </>
  )
}
