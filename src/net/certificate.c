#include "certificate-private.h"

#include "base/i18n.h"
#include "base/safetext.h"

#include <openssl/x509v3.h>

/* The most names put into a sentence; a certificate may have thousands. */
#define MAX_NAMES_SAID	 6
#define MAX_NAMES_KEPT	 200
#define MAX_SUBJECT_TEXT 300

static char *
name_text(const X509_NAME *name)
{
	/* As UTF-8, not as \xx: the door decides what may be shown. */
	const unsigned long flags = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes = NULL;
	char *text;
	long size;

	X509_NAME_print_ex(bio, name, 0, flags);
	size = BIO_get_mem_data(bio, &bytes);
	text = safe_text(span_of(bytes, (size_t)CLAMP(size, 0, MAX_SUBJECT_TEXT)), SAFE_LINE, NULL);
	BIO_free(bio);
	return text;
}

static char *
date_text(const ASN1_TIME *time)
{
	struct tm tm;

	if (!time || !ASN1_TIME_to_tm(time, &tm))
		return NULL;
	return g_strdup_printf("%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
			       tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static char *
address_text(const ASN1_OCTET_STRING *address)
{
	int size = ASN1_STRING_length(address);
	g_autoptr(GInetAddress) inet = NULL;

	if (size != 4 && size != 16)
		return NULL;
	inet =
	    g_inet_address_new_from_bytes(ASN1_STRING_get0_data(address),
					  size == 4 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6);
	return g_inet_address_to_string(inet);
}

/* Of char *, owned; at most MAX, and *MORE how many were left out. */
static GPtrArray *
host_names(const X509 *certificate, unsigned max, unsigned *more)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	GENERAL_NAMES *all = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

	*more = 0;
	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);
		const ASN1_STRING *dns;
		char *text = NULL;

		if (name->type == GEN_DNS) {
			dns = name->d.dNSName;
			text = safe_text(span_of(ASN1_STRING_get0_data(dns),
						 (size_t)ASN1_STRING_length(dns)),
					 SAFE_LINE, NULL);
		} else if (name->type == GEN_IPADD) {
			text = address_text(name->d.iPAddress);
		}
		if (text && names->len < max) {
			g_ptr_array_add(names, text);
		} else if (text) {
			(*more)++;
			g_free(text);
		}
	}
	GENERAL_NAMES_free(all);
	return names;
}

/* NULL when there is none. */
static char *
names_text(const X509 *certificate, unsigned max)
{
	unsigned more;
	g_autoptr(GPtrArray) names = host_names(certificate, max, &more);
	g_autofree char *list = NULL;

	if (!names->len)
		return NULL;
	g_ptr_array_add(names, NULL);
	list = g_strjoinv(", ", (char **)names->pdata);
	if (!more)
		return g_steal_pointer(&list);
	return g_strdup_printf(P_("%s and %u more", "%s and %u more", more), list, more);
}

static char *
fingerprint_text(const X509 *certificate)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned size = 0;
	GString *text = g_string_new(NULL);

	if (X509_digest(certificate, EVP_sha256(), digest, &size)) {
		for (unsigned i = 0; i < size; i++)
			g_string_append_printf(text, i ? ":%02X" : "%02X", digest[i]);
	}
	return g_string_free(text, FALSE);
}

void
net_certificate_read(NetCertificate *out, const X509 *certificate)
{
	out->subject = name_text(X509_get_subject_name(certificate));
	out->issuer = name_text(X509_get_issuer_name(certificate));
	out->names = names_text(certificate, MAX_NAMES_KEPT);
	out->not_before = date_text(X509_get0_notBefore(certificate));
	out->not_after = date_text(X509_get0_notAfter(certificate));
	out->sha256 = fingerprint_text(certificate);
}

void
net_certificate_clear(NetCertificate *certificate)
{
	g_free(certificate->subject);
	g_free(certificate->issuer);
	g_free(certificate->names);
	g_free(certificate->not_before);
	g_free(certificate->not_after);
	g_free(certificate->sha256);
	*certificate = (NetCertificate){ 0 };
}

static char *
wrong_name(X509 *certificate, const NetHost *host)
{
	g_autofree char *names = certificate ? names_text(certificate, MAX_NAMES_SAID) : NULL;

	if (!names) {
		return g_strdup_printf(_("the certificate of %s names no host (it has no "
					 "subjectAltName): "
					 "its operator must get one that does"),
				       host->shown);
	}
	return g_strdup_printf(_("the certificate of %s is not for that name, but for %s: use one "
				 "of these "
				 "names if it is the same server"),
			       host->shown, names);
}

static char *
unknown_issuer(X509 *certificate, const NetHost *host)
{
	g_autofree char *issuer = name_text(X509_get_issuer_name(certificate));

	return g_strdup_printf(_("the certificate of %s comes from an issuer this machine does not "
				 "know "
				 "(%s): if that is the right one, name a file with the issuer's "
				 "certificate by ca-file"),
			       host->shown, issuer);
}

static char *
wrong_date(int code, int depth, X509 *certificate, const NetHost *host)
{
	bool expired = code == X509_V_ERR_CERT_HAS_EXPIRED;
	g_autofree char *date =
	    date_text(expired ? X509_get0_notAfter(certificate) : X509_get0_notBefore(certificate));
	g_autofree char *subject = name_text(X509_get_subject_name(certificate));

	/* The day is enough. */
	if (date && strlen(date) > 10)
		date[10] = '\0';
	if (depth && expired) {
		return g_strdup_printf(_("the certificate of %s rests on one (%s) that expired on "
					 "%s: its "
					 "operator must renew it"),
				       host->shown, subject, date);
	}
	if (depth) {
		return g_strdup_printf(_("the certificate of %s rests on one (%s) that is not "
					 "valid before "
					 "%s: look whether the clock of this machine is right"),
				       host->shown, subject, date);
	}
	if (expired) {
		return g_strdup_printf(_("the certificate of %s expired on %s: its operator must "
					 "renew it"),
				       host->shown, date);
	}
	return g_strdup_printf(_("the certificate of %s is not valid before %s: look whether the "
				 "clock "
				 "of this machine is right"),
			       host->shown, date);
}

char *
net_certificate_complaint(int code, int depth, X509 *certificate, const NetHost *host)
{
	g_autofree char *fingerprint = NULL;

	if (!certificate)
		code = code == X509_V_OK ? X509_V_ERR_UNSPECIFIED : code;
	else if (code == X509_V_ERR_CERT_HAS_EXPIRED || code == X509_V_ERR_CERT_NOT_YET_VALID)
		return wrong_date(code, depth, certificate, host);
	switch (code) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return wrong_name(certificate, host);
	case X509_V_ERR_INVALID_PURPOSE:
		if (depth)
			break;
		return g_strdup_printf(
		    _("the certificate of %s is not one for servers (its extended key "
		      "usage lacks serverAuth): its operator must get one that is"),
		    host->shown);
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		if (!certificate)
			break;
		fingerprint = fingerprint_text(certificate);
		return g_strdup_printf(
		    _("the certificate of %s is self-signed, so nobody vouches for it: if "
		      "its SHA-256 is right (%s), keep it in a file and name that by "
		      "ca-file"),
		    host->shown, fingerprint);
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		if (!certificate)
			break;
		return unknown_issuer(certificate, host);
	case X509_V_ERR_EE_KEY_TOO_SMALL:
	case X509_V_ERR_CA_KEY_TOO_SMALL:
	case X509_V_ERR_CA_MD_TOO_WEAK:
		return g_strdup_printf(_("the certificate of %s is too weak to trust (%s): its "
					 "operator must "
					 "get a stronger one"),
				       host->shown, X509_verify_cert_error_string(code));
	default:
		break;
	}
	return g_strdup_printf(_("the certificate of %s cannot be trusted (%s): its operator must "
				 "mend it"),
			       host->shown, X509_verify_cert_error_string(code));
}
