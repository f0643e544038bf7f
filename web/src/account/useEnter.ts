import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'

import { projectsQuery, sessionQuery } from '../api/session'

/** Sends what was filled in; then the session is read anew and the page `next` is gone to. */
export function useEnter<T>(send: (body: T) => Promise<unknown>, next: string) {
  const queries = useQueryClient()
  const router = useRouter()
  return useMutation({
    mutationFn: send,
    onSuccess: async () => {
      await queries.fetchQuery({ ...sessionQuery, staleTime: 0 })
      queries.removeQueries({ queryKey: projectsQuery.queryKey }) // they may be more now
      await router.invalidate()
      await router.navigate({ href: next }) // the history itself does not add the path of the server
    },
  })
}
