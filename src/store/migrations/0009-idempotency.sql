-- What a POST that creates was answered, under the caller's Idempotency-Key:
-- written in the transaction of the change.  who: hash of caller and path.
CREATE TABLE idempotent_answer (
  who BIGINT NOT NULL,
  key BIGINT NOT NULL,
  body BIGINT NOT NULL,
  at BIGINT NOT NULL,
  status INTEGER NOT NULL,
  location TEXT NOT NULL,
  etag TEXT NOT NULL,
  answer TEXT NOT NULL,
  PRIMARY KEY (who, key)
);
CREATE INDEX idempotent_answer_at ON idempotent_answer (at);
