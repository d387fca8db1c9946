-- What each process of this run found out behind its closed sandbox: the fields of
-- its newest event sandbox.closed.  That of main, the first, begins anew.
CREATE TABLE role_proof (
  process TEXT PRIMARY KEY,
  at BIGINT NOT NULL,
  fields TEXT NOT NULL
);
