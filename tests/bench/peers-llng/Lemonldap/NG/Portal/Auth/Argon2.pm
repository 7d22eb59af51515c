# SPDX-License-Identifier: Apache-2.0
# Argon2.pm: lets LemonLDAP::NG compare passwords with one Argon2id hash, of the same cost as ours; who has it does not matter.
package Lemonldap::NG::Portal::Auth::Argon2;

use strict;
use Crypt::Argon2 qw(argon2id_verify);
use Mouse;
use Lemonldap::NG::Portal::Main::Constants qw(PE_OK PE_BADCREDENTIALS);

extends qw(Lemonldap::NG::Portal::Auth::_WebForm);

sub authenticate {
    my ( $self, $req ) = @_;
    return PE_OK if argon2id_verify( $ENV{PEER_HASH}, $req->data->{password} );
    $self->setSecurity($req);
    return PE_BADCREDENTIALS;
}

sub authLogout { return PE_OK; }

1;
