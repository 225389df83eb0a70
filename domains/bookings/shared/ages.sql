-- Every SQL transform of this domain may call it.
create macro decade(born) as cast(date_trunc('decade', born) as date);
