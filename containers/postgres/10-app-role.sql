-- The role of the API servers in a new database; the image runs this once, as the administrator, on an empty volume.
-- Alone it may make the tables; as soon as the administrator bootstraps, they are the administrator's and it may not.

\set VERBOSITY terse
\getenv app_user APP_USER
\getenv app_password SESSION_DB_PASSWORD

-- A statement that fails would be logged, with the password in it.
SET log_min_error_statement = panic;
CREATE ROLE :"app_user" LOGIN PASSWORD :'app_password';
GRANT CREATE ON SCHEMA public TO :"app_user";
