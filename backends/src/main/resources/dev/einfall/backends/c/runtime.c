/* A loop whose iterations threads share: tasks of a kernel, or iterations of a loop inside of one. */
struct region {
  kernel_function *run;
  void *const *parameters;
  section_function *section;
  int32_t number;
  const int64_t *arguments;
  int32_t begin;
  int32_t end;
  int32_t parts;
  atomic_int next;
  atomic_int failed;
  struct fault fault;
};

/* The caller and the threads that help it. */
struct pool {
  pthread_mutex_t mutex;
  pthread_cond_t begun;
  pthread_cond_t ended;
  struct region *region;
  int generation;
  int working;
  bool closed;
  int threads;
  struct member *members;
};

/* One of them, and memory for its own use. */
struct member {
  struct pool *pool;
  pthread_t thread;
  unsigned char *scratch;
};

static void *aligned_memory(size_t bytes) {
  return aligned_alloc(64, (bytes + 64) / 64 * 64);
}

/* Takes one part after the other until there is none. */
static void take_parts(struct region *region, unsigned char *scratch) {
  for (int32_t part = atomic_fetch_add(&region->next, 1); part < region->parts; part = atomic_fetch_add(&region->next, 1)) {
    const int64_t count = (int64_t) region->end - region->begin;
    const int32_t begin = (int32_t) (region->begin + count * part / region->parts);
    const int32_t end = (int32_t) (region->begin + count * (part + 1) / region->parts);
    struct fault fault = {0, 0};
    const int32_t failed = region->section != NULL
        ? region->section(region->number, region->arguments, scratch, begin, end, &fault)
        : region->run(region->parameters, scratch, begin, end, NULL, &fault);
    int none = 0;
    if (failed != 0 && atomic_compare_exchange_strong(&region->failed, &none, failed)) {
      region->fault = fault;
    }
  }
}

static void *help(void *argument) {
  struct member *member = argument;
  struct pool *pool = member->pool;
  int seen = 0;
  pthread_mutex_lock(&pool->mutex);
  while (!pool->closed) {
    if (pool->generation == seen) {
      pthread_cond_wait(&pool->begun, &pool->mutex);
      continue;
    }
    seen = pool->generation;
    struct region *region = pool->region;
    if (region != NULL) {
      pool->working++;
      pthread_mutex_unlock(&pool->mutex);
      take_parts(region, member->scratch);
      pthread_mutex_lock(&pool->mutex);
      if (--pool->working == 0) {
        pthread_cond_signal(&pool->ended);
      }
    }
  }
  pthread_mutex_unlock(&pool->mutex);
  return NULL;
}

static bool pool_open(struct pool *pool, int threads, size_t scratch_bytes) {
  pool->members = calloc((size_t) threads, sizeof *pool->members);
  if (pool->members == NULL) {
    return false;
  }
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->begun, NULL);
  pthread_cond_init(&pool->ended, NULL);
  for (int i = 0; i < threads; i++) {
    struct member *member = &pool->members[i];
    member->pool = pool;
    member->scratch = aligned_memory(scratch_bytes);
    if (member->scratch == NULL || (i > 0 && pthread_create(&member->thread, NULL, help, member) != 0)) {
      free(member->scratch);
      return false;
    }
    pool->threads = i + 1;
  }
  return true;
}

static void pool_close(struct pool *pool) {
  if (pool->members == NULL) {
    return;
  }
  pthread_mutex_lock(&pool->mutex);
  pool->closed = true;
  pthread_cond_broadcast(&pool->begun);
  pthread_mutex_unlock(&pool->mutex);
  for (int i = 0; i < pool->threads; i++) {
    if (i > 0) {
      pthread_join(pool->members[i].thread, NULL);
    }
    free(pool->members[i].scratch);
  }
  free(pool->members);
  pthread_cond_destroy(&pool->begun);
  pthread_cond_destroy(&pool->ended);
  pthread_mutex_destroy(&pool->mutex);
}

/* Runs all of a region, and gives what failed of it. */
static int32_t pool_run(struct pool *pool, struct region *region) {
  const int64_t count = (int64_t) region->end - region->begin;
  const int64_t most = pool->threads == 1 ? 1 : 16 * (int64_t) pool->threads;
  region->parts = (int32_t) (count < most ? count : most);
  if (region->parts > 1) {
    pthread_mutex_lock(&pool->mutex);
    pool->region = region;
    pool->generation++;
    pthread_cond_broadcast(&pool->begun);
    pthread_mutex_unlock(&pool->mutex);
  }
  take_parts(region, pool->members[0].scratch);
  if (region->parts > 1) {
    pthread_mutex_lock(&pool->mutex);
    pool->region = NULL;
    while (pool->working > 0) {
      pthread_cond_wait(&pool->ended, &pool->mutex);
    }
    pthread_mutex_unlock(&pool->mutex);
  }
  return atomic_load(&region->failed);
}

/* A run of a kernel that has loops inside which threads share. */
struct lead {
  struct team team;
  struct pool *pool;
  section_function *section;
  bool failed;
  struct fault fault;
};

static int32_t lead_share(const struct team *team, int32_t number, const int64_t *arguments, int32_t count, int32_t begin, int32_t end) {
  struct lead *lead = (struct lead *) team;
  struct region region = {.section = lead->section, .number = number, .arguments = arguments, .begin = begin, .end = end};
  const int32_t failed = pool_run(lead->pool, &region);
  (void) count;
  if (failed != 0) {
    lead->failed = true;
    lead->fault = region.fault;
  }
  return failed;
}

/* Runs a kernel; gives 0, or what it requires and does not hold. */
static int32_t launch(struct pool *pool, kernel_function *run, section_function *section, int32_t tasks, void *const *parameters,
    struct fault *fault) {
  if (section != NULL) {
    struct lead lead = {.team = {lead_share}, .pool = pool, .section = section};
    struct fault own = {0, 0};
    const int32_t failed = run(parameters, pool->members[0].scratch, 0, 1, &lead.team, &own);
    *fault = lead.failed ? lead.fault : own;
    return failed;
  }
  struct region region = {.run = run, .parameters = parameters, .begin = 0, .end = tasks};
  const int32_t failed = pool_run(pool, &region);
  *fault = region.fault;
  return failed;
}
