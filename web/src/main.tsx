import './styles.css'

import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'

import { ApiError, readerToken } from './api/client'
import { projectsQuery, sessionQuery } from './api/session'
import { SHARED } from './api/shares'
import { lacksSecondFactor } from './appRoute'
import { language } from './language'
import { speak } from './messages'
import { makeRouter } from './router'
import { ThemeProvider } from './theme'

const UNAUTHORIZED = 401

const isUnauthorized = (error: unknown) => error instanceof ApiError && error.status === UNAUTHORIZED

const queries = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, { queryKey }) => {
      // A second factor is asked of everybody from now on. The router itself asks for the projects, and goes there too.
      if (lacksSecondFactor(error) && queryKey[0] !== projectsQuery.queryKey[0]) {
        void router.navigate({ to: '/second-factor', search: { next: router.state.location.href } })
      }
      if (!isUnauthorized(error)) return
      if (readerToken()) {
        // The link has ended, or takes a password now: its page asks which.
        if (queryKey[0] !== SHARED) void queries.invalidateQueries({ queryKey: [SHARED] })
        return
      }
      // The session ended elsewhere: ask for it again, and the router goes to the login.
      void queries.fetchQuery({ ...sessionQuery, staleTime: 0 }).then(() => router.invalidate())
    },
  }),
  defaultOptions: {
    queries: {
      retry: (failures, error) => failures < 1 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
      retryDelay: 1000,
    },
  },
})

const router = makeRouter(queries)

void speak(language()).then(() =>
  createRoot(document.getElementById('root')!).render(
    <StrictMode>
      <ThemeProvider>
        <QueryClientProvider client={queries}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </ThemeProvider>
    </StrictMode>,
  ),
)
