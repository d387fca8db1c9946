-- Log sources of Sigma that an organisation has events of: rules of them have data.  last: when
-- it was told last; that is once a day.
CREATE TABLE detect_source (
	org TEXT NOT NULL,
	category TEXT NOT NULL,
	product TEXT NOT NULL,
	service TEXT NOT NULL,
	last BIGINT NOT NULL,
	PRIMARY KEY (org, category, product, service)
);
