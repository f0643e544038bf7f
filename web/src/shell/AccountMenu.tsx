import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useParams, useRouter } from '@tanstack/react-router'

import { logOut, sessionQuery } from '../api/session'
import { m } from '../messages'
import { Icon } from '../ui/Icon'
import { LanguageToggle } from './LanguageToggle'

const MENU = 'account-menu'

export function AccountMenu() {
  const { data: session } = useQuery(sessionQuery)
  const queries = useQueryClient()
  const router = useRouter()
  const { projectId } = useParams({ strict: false })
  const leave = useMutation({
    mutationFn: logOut,
    onSuccess: async () => {
      queries.clear()
      await router.navigate({ to: '/login' })
    },
  })
  const user = session?.user
  if (!user) return null
  return (
    <>
      <button
        type="button"
        popoverTarget={MENU}
        aria-label={`${m.account.menu}: ${user.name}`}
        title={user.name}
        className="ml-1 grid size-8 place-items-center rounded-full bg-soft text-sm font-semibold text-accent uppercase"
      >
        {[...(user.name || user.email)][0]}
      </button>
      <div
        id={MENU}
        popover="auto"
        className="fixed top-13 right-4 left-auto m-0 w-60 rounded-xl border border-line bg-surface p-1.5 text-ink shadow-pop sm:right-8"
      >
        <p className="truncate px-2.5 pt-1.5 font-medium">{user.name}</p>
        <p className="mb-1.5 truncate px-2.5 text-sm text-muted">{user.email}</p>
        <Link
          to="/settings/account"
          search={projectId ? { project: projectId } : {}}
          onClick={() => document.getElementById(MENU)?.hidePopover()}
          className="flex items-center gap-2 rounded-lg px-2.5 py-2 hover:bg-sunken"
        >
          <Icon name="gear" />
          {m.account.settings}
        </Link>
        <LanguageToggle icon className="flex w-full items-center gap-2 rounded-lg px-2.5 py-2 text-left hover:bg-sunken" />
        <button
          type="button"
          disabled={leave.isPending}
          onClick={() => leave.mutate()}
          className="flex w-full items-center gap-2 rounded-lg px-2.5 py-2 text-left hover:bg-sunken"
        >
          <Icon name="logout" />
          {m.account.logout}
        </button>
      </div>
    </>
  )
}
